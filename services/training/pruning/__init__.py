"""What is kept no longer: runs, events, trials, answers, tickets, and artifacts without a name."""
