"""Commands of `tsladder`: arguments, texts and live displays, one module per subcommand."""
