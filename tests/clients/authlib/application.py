"""A Flask application on Authlib, which is used as its documentation shows."""

import os

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, request, session, url_for

app = Flask(__name__)
app.secret_key = os.environ["CLIENT_SECRET"]
oauth = OAuth(app)
oauth.register(
    name="idp",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


@app.get("/sign-in")
def sign_in():
    return oauth.idp.authorize_redirect(url_for("callback", _external=True), **request.args)


@app.get("/callback")
def callback():
    try:
        token = oauth.idp.authorize_access_token()
    except OAuthError as error:
        return {"error": error.error, "description": error.description}
    session["id_token"] = token["id_token"]
    # Authlib puts the verified claims of the ID token there.
    return {"claims": token["userinfo"], "userinfo": oauth.idp.userinfo(token=token)}


@app.get("/sign-out")
def sign_out():
    return oauth.idp.logout_redirect(url_for("bye", _external=True), id_token_hint=session.pop("id_token"))


@app.get("/bye")
def bye():
    return {"bye": True}
