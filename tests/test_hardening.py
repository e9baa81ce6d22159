"""What must not stand in the code, so that whole kinds of attack have nothing to begin with."""

import json
import re
import subprocess
import sys

import pytest

from cabinet.frame.rendering import render
from ops.local.home import CHECKOUT
from rules.refusals import Words
from tests.cabinet.samples import SAMPLES
from words.translation import Presentation

ROOMS = ("api", "cabinet", "clients", "crypto", "models", "rules", "services", "words")
CONSTANT = {"msgid", "_REF"}
"""Names of what is formatted: sentences of ours."""
SCRIPTS = sorted((CHECKOUT / "cabinet" / "static").glob("[jw]*/*.js"))

STDIN = ("--stdin-filename", "services/dangerous.py", "-")
DANGEROUS = {
    "S608": "def f(x, y):\n    x.execute(\"select * from t where a = '%s'\" % y)\n",
    "S602": "import subprocess\n\ndef f(x):\n    subprocess.run(x, shell=True)\n",
    "S605": "import os\n\ndef f(x):\n    os.system(x)\n",
    "S307": "def f(x):\n    return eval(x)\n",
    "S102": "def f(x):\n    exec(x)\n",
    "S301": "import pickle\n\ndef f(x):\n    return pickle.loads(x)\n",
    "S506": "import yaml\n\ndef f(x):\n    return yaml.load(x)\n",
    "S314": "from xml.etree import ElementTree\n\ndef f(x):\n    return ElementTree.parse(x)\n",
    "S324": "import hashlib\n\ndef f(x):\n    return hashlib.md5(x)\n",
    "S311": "import random\n\ndef f():\n    return random.random()\n",
    "S501": "import httpx\n\ndef f(x):\n    return httpx.get(x, verify=False)\n",
    "S701": "import jinja2\n\nE = jinja2.Environment()\n",
}


@pytest.mark.asvs("1.2.4")
@pytest.mark.asvs("1.2.5")
@pytest.mark.asvs("1.3.2")
@pytest.mark.asvs("1.5.1")
@pytest.mark.asvs("1.5.2")
@pytest.mark.asvs("11.4.1")
@pytest.mark.asvs("12.3.2")
def test_the_linter_refuses_what_is_dangerous() -> None:
    """SQL and commands made of texts, eval, pickle, XML, weak hashes and chance, TLS unchecked."""
    told = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format=json", *STDIN],
        cwd=CHECKOUT,
        input="\n\n".join(DANGEROUS.values()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(DANGEROUS) <= {one["code"] for one in json.loads(told.stdout)}


@pytest.mark.asvs("1.3.7")
@pytest.mark.asvs("15.3.2")
def test_no_template_is_made_of_a_text_and_no_call_is_led_elsewhere() -> None:
    """Templates are files; what calls another server follows no redirect."""
    for room in ROOMS:
        for path in (CHECKOUT / room).rglob("*.py"):
            text = path.read_text("utf-8")
            assert "from_string(" not in text, path
            assert "follow_redirects=True" not in text, path
            assert "render_template_string" not in text, path


@pytest.mark.asvs("1.3.10")
def test_a_text_that_looks_like_a_pattern_is_only_a_text() -> None:
    """What people write fills the places of our sentences, and opens none of its own."""
    hostile = "{0.__class__} {who.__init__.__globals__} %(who)s %s"
    filled = Words("Кто: {who}.", who=hostile)
    assert filled == f"Кто: {hostile}."
    assert filled.msgid.format(**filled.facts) == filled
    for room in ROOMS:
        for path in (CHECKOUT / room).rglob("*.py"):
            for called in re.findall(r"(\w+)\.format(?:_map)?\(", path.read_text("utf-8")):
                assert called in CONSTANT, f"{path}: {called}.format"


@pytest.mark.asvs("3.2.2")
@pytest.mark.asvs("15.3.6")
def test_our_scripts_make_no_markup_of_texts() -> None:
    """Texts become texts; no code is made of one, and no prototype is reached by a name."""
    made = re.compile(
        r"(?:inner|outer)HTML\s*\+?=[^=]|insertAdjacentHTML|document\.write|\beval\(|new Function"
        r"|createContextualFragment|__proto__|\.prototype\b|=\s*\{\};"
    )
    assert len(SCRIPTS) > 10
    for script in SCRIPTS:
        assert not made.search(script.read_text("utf-8")), script.name


@pytest.mark.asvs("6.2.6")
@pytest.mark.asvs("6.2.7")
@pytest.mark.asvs("7.4.4")
def test_passwords_are_masked_and_may_be_pasted_and_a_way_out_is_on_every_page() -> None:
    """Password fields say what they are, nothing listens to pasting, signing out is in sight."""
    masked = inside = 0
    for name, sample in SAMPLES.items():
        page = render(sample.template, Presentation("ru"), frame=sample.frame, **sample.context)
        for field in re.findall(r"<input[^>]*name=\"[^\"]*password[^\"]*\"[^>]*>", page):
            masked += 1
            assert 'type="password"' in field, name
            assert re.search(r'autocomplete="(?:current|new)-password"', field), name
        assert "onpaste" not in page
        if sample.frame.who is not None:
            inside += 1
            assert 'action="/sign-out"' in page, name
    assert inside > 20
    assert masked >= 4
    assert not [one for one in SCRIPTS if '"paste"' in one.read_text("utf-8")]
