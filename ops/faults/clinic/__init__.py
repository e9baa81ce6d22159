"""Stories of appointments and of laboratory results, and the people in them."""
