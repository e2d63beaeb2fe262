"""Asking a directory (Active Directory, OpenLDAP, FreeIPA) who somebody is.

It knows ldap3 and nothing of the database: what to ask comes as a ``Directory``, and
what was found goes back as an ``Account``. ldap3 takes a tenth of a second to import, and pyspnego
another: whoever is not going to ask a directory imports neither, so ``asking`` is imported where
it is called.
"""
