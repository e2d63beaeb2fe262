"""Signing in with an OpenID Connect provider (Keycloak, Entra ID, Google, Authentik, ...).

``signing_in.begin`` says where to send the browser, ``signing_in.finish`` says who came back.
Nothing here knows the database or the web server.
"""
