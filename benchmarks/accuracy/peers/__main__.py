"""Make the peers' environment."""

from benchmarks.accuracy.peers.environment import make_environment

if __name__ == "__main__":
    make_environment()
