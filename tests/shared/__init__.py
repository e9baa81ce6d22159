"""What tests of several subjects share: servers, people, and the application as it is served."""
