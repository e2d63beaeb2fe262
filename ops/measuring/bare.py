"""What PostMaster's list of users is measured against: the same queries in a bare view.

Flask and Flask-SQLAlchemy as their documentation has them: one row by its primary key, as a
session would be, then the list's two queries (its rows, and what says whether the total that was
counted before is still true), answered as JSON.
"""

import os

from flask import Flask, jsonify
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, literal, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ops.measuring.plain import CHANGED


class Base(DeclarativeBase):
    """The base of the tables."""


db = SQLAlchemy(model_class=Base)


class Domain(Base):
    """A domain."""

    __tablename__ = "virtual_domains"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class User(Base):
    """A mailbox."""

    __tablename__ = "virtual_users"
    id: Mapped[int] = mapped_column(primary_key=True)
    domain_id: Mapped[int]
    password: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)


class Alias(Base):
    """One destination of an alias."""

    __tablename__ = "virtual_aliases"
    id: Mapped[int] = mapped_column(primary_key=True)
    destination: Mapped[str]


class Note(Base):
    """The note on a mailbox."""

    __tablename__ = "postmaster_notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    text: Mapped[str]


def create_app() -> Flask:
    """The application, on the database that the environment names."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["POSTMASTER_DATABASE_URI"].replace(
        "mysql://", "mysql+pymysql://"
    )
    db.init_app(app)

    @app.get("/users")
    def users() -> object:
        db.session.get(Domain, 1)
        ids = select(User.id).order_by(User.email).limit(11).subquery()
        leading = select(func.count(Alias.id)).where(Alias.destination == User.email)
        # As PostMaster compares them: see postmaster/collations.py.
        name = func.convert(text("virtual_users.email USING utf8mb4")).collate("utf8mb4_general_ci")
        note = select(Note.text).where(Note.kind == literal("user"), Note.name == name)
        rows = db.session.execute(
            select(User, leading.scalar_subquery(), note.correlate(User).scalar_subquery())
            .join(ids, ids.c.id == User.id)
            .order_by(User.email)
        )
        items = [
            {"id": user.id, "domain_id": user.domain_id, "email": user.email, "note": note or ""}
            for user, _leading, note in rows
        ]
        db.session.execute(text(CHANGED)).one()
        return jsonify(items=items)

    return app
