"""Asking a directory (Active Directory, OpenLDAP, FreeIPA) who somebody is.

It knows ldap3 and nothing of the database: what to ask comes as a ``Directory``, and
what was found goes back as an ``Account``.
"""
