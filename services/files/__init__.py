"""Files: intake, inspection, orphans."""
