"""What a training is asked for: the declaration of every parameter, the rules between them, and the checks."""
