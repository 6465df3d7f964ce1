"""The setup token's file: how the person who starts the installation proves to be that person.

The file is where the token is told; the database decides whether it is still good.
"""

import os
from pathlib import Path

from auth_service.credentials.opaque import Secret, new_secret

MINIMUM_CHARACTERS = 32


class SetupTokenFile:
    """The file at AUTH_SETUP_TOKEN_FILE."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read_or_create(self) -> Secret:
        """The token in the file; a missing file is made, readable by its owner alone.

        Raises:
            ValueError: the token there is too short to be a secret.
        """
        try:
            return self._read()
        except FileNotFoundError:
            return self._create()

    def discard(self) -> None:
        """Delete the file, whose token is void now; so a mounted secret that cannot be deleted does no harm."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return

    def _read(self) -> Secret:
        text = self._path.read_text().strip()
        if len(text) < MINIMUM_CHARACTERS:
            raise ValueError(
                f"{self._path} holds fewer than {MINIMUM_CHARACTERS} characters; delete it and a token is made at start"
            )
        return Secret(text)

    def _create(self) -> Secret:
        secret = new_secret()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret.text + "\n")
        temporary.replace(self._path)
        return secret
