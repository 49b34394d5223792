"""What database files hold before a parser sees them: their text, their kind, their defects.

    path ──► text.read_text ──► kinds.kind_of ──► repair.repair_dbc ──► text that parses
             (encodings)        (or what else     (statements, objects,
                                 the file is)      values, attributes)

`contactor.can.database` uses all of it; nothing here knows cantools.
"""
