"""What failures look like: the signatures as commented YAML, and the catalogue that loads and checks them.

One file per kind of trouble, so that a person who wants to add a message knows where: ``genuine_*`` for what a re-run
never mends, ``persistent`` for what somebody must mend outside the change, ``transient_*`` for what may pass by
itself, ``undecided`` for what is left alone without a judgement, ``fragments`` for the pieces they share.
"""
