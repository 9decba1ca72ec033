from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request, url_for

blueprint = Blueprint("pages", __name__)
entries = []


@blueprint.get("/")
def index():
    return render_template("index.html", entries=entries)


@blueprint.post("/")
def sign():
    entries.append(request.form["name"])
    flash("Thank you")
    return redirect(url_for(".index"))


@blueprint.get("/api")
def api():
    return jsonify(version=current_app.config["VERSION"], entries=entries)


@blueprint.get("/broken")
def broken():
    raise RuntimeError("broken on purpose")
