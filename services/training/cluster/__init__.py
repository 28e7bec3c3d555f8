"""Training children at the nodes of a Ray cluster, behind the same `run` as those of this machine.

Three ways for a worker to reach the cluster were weighed. A driver in it needs Ray's own daemon
beside every worker, and its threads and its crashes in a process that holds leases. A gateway of
our own on the cluster is one more thing to run and to guard. What is left is Ray's client
(`ray://head:10001`) in a process of its own, the *bridge*: what Ray does, hangs or dies of there,
the worker survives, and it never imports Ray. A call over it takes some milliseconds, connecting
some seconds, once.

At the nodes a *seat* (an actor of one processor) keeps a slot of the queue's own children: the same
fork server, limits of memory and time, and the same end of all that a child started. Ray restarts
and repeats nothing: attempts and fence are the queue's.
"""
