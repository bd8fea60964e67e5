"""One practice session: turn loop, feedback, report, command line, composition root."""
