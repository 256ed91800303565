"""Behind the command line: commands by subject, the demonstration with its report, the doctor, the terminal.

It joins all other packages. Nothing is imported here: a command loads what it needs, and no more.
"""
