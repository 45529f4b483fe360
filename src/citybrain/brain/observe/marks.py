"""A mark in the store that moves with each change, so that whoever holds a copy in memory sees that another process made one."""

from sqlalchemy import Connection

from citybrain.kernel.ports import Transactions


class Mark:
    """A mark by name, and up to where a copy in memory has come."""

    def __init__(self, transactions: Transactions[Connection], name: str) -> None:
        self._transactions = transactions
        self._name = name
        self._noted = 0

    def note(self) -> None:
        """What is read from here on is what stands at the mark."""
        self._noted = self._transactions.cursor(self._name)

    def moved(self) -> bool:
        """Whether there is a change that is not in memory."""
        return self._transactions.cursor(self._name) != self._noted

    def move(self, connection: Connection) -> bool:
        """Move the mark within an open transaction, writers come one after another; whether no other change came before this one.

        Then the mark is noted too: the change alone brings the memory up to it.
        """
        before = self._transactions.cursor(self._name)
        self._transactions.advance(connection, self._name, before + 1)
        alone = before == self._noted
        if alone:
            self._noted = before + 1
        return alone
