"""The running program: start-up, channels, delivery, clock process, web server, command line."""
