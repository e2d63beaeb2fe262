"""Signing in with an OpenID Connect provider (Keycloak, Entra ID, Google, Authentik, ...).

``signing_in.begin`` says where to send the browser, ``signing_in.finish`` says who came back.
Nothing here knows the database or the web server. Authlib and requests take a tenth of a second
to import: whoever is not going to ask a provider does not, so ``signing_in`` is imported where it
is called.
"""
