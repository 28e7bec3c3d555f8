"""A job's events told to all who watch: each process follows a log once, however many they are."""
