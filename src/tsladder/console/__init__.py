"""What the command `tsladder` shows and does, one module a subcommand."""
