"""What database files hold before a parser sees them: their text, their kind, their defects.

    path ──► text.read_text ──► kinds.kind_of ──► reading.read_messages ──► messages, repairs
             (encoding)         (or what else      │            ▲
                                 the file is)      ▼            │ the parser of a third party
                                    suspicion, dbc_repair, sym_repair, xml_repair

`contactor.can.database` uses all of it and brings the parser; nothing here knows cantools.
"""
