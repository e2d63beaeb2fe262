"""The languages of the pages, each by its own name. The API and the commands are English."""

DEFAULT = "en"
LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "nl": "Nederlands",
}
