"""A person with Dino, told what to do on standard input.

Starts Dino on the display of its environment and uses it as a person with a
screen reader does: finds buttons and fields by what they are called, looks, and
presses. Commands and answers are JSON, one object a line: {"id": 1, "do":
"press", ...} is answered by {"re": 1, "ok": ...} or {"re": 1, "error": "..."}.
Commands are the functions do_NAME below. Dino's own output goes to the file of
the first argument.
"""

import json
import subprocess
import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402


def things(root, role=None):
    """All that is on a window, as far as it is shown: pages behind others have no size."""
    found = []

    def look(a):
        if a is None:
            return
        if role is None or a.get_role_name() == role:
            found.append(a)
        for i in range(a.get_child_count()):
            look(a.get_child_at_index(i))

    look(root)
    return found


def windows():
    desk = Atspi.get_desktop(0)
    for i in range(desk.get_child_count()):
        app = desk.get_child_at_index(i)
        if app and app.get_name() == "dino-im":
            yield from (app.get_child_at_index(j) for j in range(app.get_child_count()))


def window(title):
    for w in windows():
        if w and w.get_name() == title:
            return w
    raise LookupError("no window " + title)


def size(a):
    component = a.get_component_iface()
    return component.get_extents(Atspi.CoordType.WINDOW) if component else None


def shown(a):
    e = size(a)
    return e is not None and e.width > 0 and e.height > 0


def button(root, name, nth):
    """What is pressed for the nth of the shown things with a name: it or what it stands on."""
    a = [a for a in things(root) if a.get_name() == name and a.get_role_name() in ROLES and shown(a)][nth]
    while a.get_role_name() not in PRESSED:
        a = a.get_parent()
    return a


PRESSED = {"push button", "menu item", "check box", "list item", "toggle button"}
ROLES = PRESSED | {"label"}


def do_press(title, name, nth=0):
    button(window(title), name, nth).get_action_iface().do_action(0)


def do_fill(title, text, nth=0, role="text"):
    """Write into the nth field of a window."""
    field = [a for a in things(window(title), role) if shown(a)][nth]
    if not field.get_editable_text_iface().set_text_contents(text):
        raise ValueError("the field takes no text")


def do_select(title, text):
    """Select the row of a list in which a text stands."""
    for rows in things(window(title), "list"):
        for i in range(rows.get_child_count()):
            if any(text in (a.get_name() or "") for a in things(rows.get_child_at_index(i))):
                if rows.get_selection_iface().select_child(i):
                    return
    raise LookupError("no row with " + text)


def do_windows():
    return [w.get_name() for w in windows() if w]


def do_sees(title):
    """What a window says, line by line."""
    return [a.get_name() for a in things(window(title)) if shown(a) and a.get_name() and not a.get_name().startswith("Gtk")]


def do_tree(title):
    return ["%s %r %s" % (a.get_role_name(), a.get_name(), (lambda e: e and (e.x, e.y, e.width, e.height))(size(a)))
            for a in things(window(title)) if shown(a)]


def do_action(name, argument=None):
    """What a notification or a shortcut of Dino does."""
    arguments = [GLib.Variant("i", argument)] if argument is not None else []
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    bus.call_sync("im.dino.Dino", "/im/dino/Dino", "org.gtk.Actions", "Activate",
                  GLib.Variant("(sava{sv})", (name, arguments, {})), None, 0, -1, None)


def do_click(title, role, name=None, nth=0):
    """Click with the mouse in the middle of something, to have the keyboard there."""
    e = size([a for a in things(window(title), role) if shown(a) and name in (None, a.get_name())][nth])
    frame = 5  # around what is in a window of GTK
    left, top = largest()
    subprocess.check_call(["xdotool", "mousemove", str(left + frame + e.x + e.width // 2),
                           str(top + frame + e.y + e.height // 2), "click", "1"])


def largest():
    """Where the main window is; menus are windows too."""
    places = []
    for x in subprocess.check_output(["xdotool", "search", "--onlyvisible", "--class", "dino"], text=True).split():
        at = dict(line.split("=") for line in
                  subprocess.check_output(["xdotool", "getwindowgeometry", "--shell", x], text=True).split())
        places.append((int(at["WIDTH"]) * int(at["HEIGHT"]), int(at["X"]), int(at["Y"])))
    return max(places)[1:]


def do_read(title, role="text", nth=0):
    """What is in a field, and whether the keyboard writes there."""
    a = [a for a in things(window(title), role) if shown(a)][nth]
    text = a.get_text_iface()
    return [text.get_text(0, text.get_character_count()), a.get_state_set().contains(Atspi.StateType.FOCUSED)]


def do_key(key):
    subprocess.check_call(["xdotool", "key", key])


def do_type(text):
    subprocess.check_call(["xdotool", "type", "--delay", "20", text])


def do_leave():
    """Quit Dino, as its menu does."""
    do_action("quit")
    dino.wait(20)


def do_return():
    start()


def do_look(file):
    """Take a picture of the screen."""
    subprocess.check_call(["import", "-window", "root", file])


def start():
    global dino
    with open(sys.argv[1], "a") as log:
        dino = subprocess.Popen(["dino-im", "--print-xmpp=all"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def main():
    start()
    for line in sys.stdin:
        c = json.loads(line)
        number, name = c.pop("id"), c.pop("do")
        try:
            answer = {"re": number, "ok": globals()["do_" + name](**c)}
        except Exception as e:  # the test decides whether to try again
            answer = {"re": number, "error": "%s: %s" % (type(e).__name__, e)}
        if dino.poll() is not None and name != "leave":
            answer = {"re": number, "error": "Dino has ended: %d" % dino.returncode}
        print(json.dumps(answer), flush=True)
    dino.kill()


main()
