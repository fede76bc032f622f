"""What a person or a rule calls: `study <command>`, and scripts/<module>.py for each of them.

A command is a module that says by its docstring what it does, by `add_arguments` what it is told,
and does it by `run`. It reads files, calls the other rooms, and writes files.
"""
