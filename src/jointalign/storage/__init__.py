"""The disk: whole files or none, compressed ones, lines of text, stages that go on after a stop."""
