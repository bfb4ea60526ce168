"""Commands of `tsladder`: arguments, words and live pictures, one module a subcommand."""
