package timeline

import (
	"slices"
	"testing"
)

func TestWhateverTakesALineAwayNamesItsFile(t *testing.T) {
	for name, step := range map[string]func(d *desk, id string) (Change, error){
		"taken back": func(d *desk, _ string) (Change, error) { return d.b.Apply(from(bob, "2", "").as(Retract, "1"), d.now) },
		"deleted":    func(d *desk, id string) (Change, error) { return d.b.Erase(bob, []string{id}) },
		"cleared":    func(d *desk, _ string) (Change, error) { return d.b.Clear(bob, false) },
		"removed":    func(d *desk, _ string) (Change, error) { return d.b.Remove(bob) },
	} {
		d := online(t, own)
		d.apply(from(bob, "1", "cat"))
		id := lastChat(t, d, bob).Last.ID
		d.keep(d.b.SetFile(id, File{Name: "cat.png", URL: "https://example.org/cat.png", State: "here", Path: "/files/cat.png"}))
		c, err := step(d, id)
		if err != nil || !slices.Equal(c.Files, []string{"/files/cat.png"}) {
			t.Errorf("%s: %q, %v", name, c.Files, err)
		}
		d.keep(c, err)
		o := d.compose(Draft{Chat: bob, File: &File{Name: "cat.png", Path: "/pictures/cat.png", URL: "https://example.org/cat.png"}})
		if c, err = d.b.Erase(bob, []string{o.Message}); err != nil || len(c.Files) != 0 {
			t.Errorf("what was sent from here: %q, %v", c.Files, err)
		}
		d.keep(c, err)
	}
}
