"""All that a cryptographer reviews: keys, certificates, signatures and encryption."""
