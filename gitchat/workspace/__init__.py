"""Where we are, who we are, and what is opened here.

The only reader of the clock, of environment variables, of randomness and of git's configuration;
everything below gets what was read as arguments.
"""
