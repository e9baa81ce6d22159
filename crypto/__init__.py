"""Everything that a cryptographer reviews: keys, certificates, signatures and encryption.

- `key_ring`: columns and payloads by AES-256-GCM; look-ups and attestations by HMAC.
- `backup_files`: files by AES-256-GCM in pieces. `recovery_phrase`: their keys, by X25519.
- `front_door`: a certificate for https on one machine, and TLS 1.3 alone.
- `signing_keys`, `certificates`: ECDSA and RSA keys in PKCS#12, and who holds them.
- `cms_signatures`, `cms_encryption`, `der`: CMS for papers, checkpoints and the gov service.
- `pdf_signing`, `pdf_signatures`: the same signatures in a PDF (PAdES).
- `gost`: messages to the gov service by GOST, through OpenSSL.
- `web_push`: messages to browsers (RFC 8291 and RFC 8292).
- `passwords`: argon2id. `passkeys`: what authenticators sign (WebAuthn).

The callers know what is signed or encrypted, and why.
"""
