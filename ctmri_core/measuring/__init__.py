"""What a person measures on pictures: shapes in the patient, and the numbers of the volumes under them."""
