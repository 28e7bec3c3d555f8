"""Found first by the processes of the cluster: each of them imports `jsonschema`, which takes the
package of this name where it is installed, and that builds a grammar for a second of a processor.
"""

raise ImportError("not for a cluster that is to start soon")
