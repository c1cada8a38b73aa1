"""What the camera of a space sees: pictures, bursts, looks as evidence, the album, and what is odd about a car."""
