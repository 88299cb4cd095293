"""What a person may ask the crew to do in a question, by the system it is done to."""
