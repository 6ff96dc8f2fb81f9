"""What the headers of the opened files say."""
