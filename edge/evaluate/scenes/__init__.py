"""What stands before the camera in an evaluation: the neighbour, which shares no code with it."""
