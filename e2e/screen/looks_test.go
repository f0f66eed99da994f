package screen

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// How far a picture may be from the one that is kept: fonts are drawn a little differently
// by another build of the browser, and lines with a time move by its width.
const (
	shade = 48   // of 255, in one colour, that nobody sees
	share = 0.02 // of the pixels that may be more than that apart
)

// compare holds pictures of the screen to those in the folder kept, or puts them there
// where MIRSAL_KEEP is set: look at them before they are committed.
func compare(t *testing.T, folder string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "kept-*.png"))
	if err != nil || len(names) == 0 && !t.Failed() {
		t.Fatal("there are no pictures ", err)
	}
	for _, name := range names {
		at := filepath.Join("kept", filepath.Base(name)[len("kept-"):])
		if os.Getenv("MIRSAL_KEEP") != "" {
			keep(t, name, at)
			continue
		}
		if apart := distance(read(t, name), read(t, at)); apart > share {
			t.Errorf("%s: %.1f %% of the picture is not as in %s (see it with MIRSAL_PICTURES=folder; MIRSAL_KEEP=1 keeps it)", filepath.Base(name), 100*apart, at)
		}
	}
}

func keep(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, name string) image.Image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// distance is the share of pixels that differ so that it is seen; 1 for another size.
func distance(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return 1
	}
	apart, all := 0, 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if all++; differ(a.At(x, y), b.At(x, y)) {
				apart++
			}
		}
	}
	return float64(apart) / float64(all)
}

func differ(a, b color.Color) bool {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	far := func(x, y uint32) bool { d := int(x>>8) - int(y>>8); return d > shade || d < -shade }
	return far(r1, r2) || far(g1, g2) || far(b1, b2)
}

func TestPicturesAreAsFarApartAsPeopleSee(t *testing.T) {
	a, b := image.NewRGBA(image.Rect(0, 0, 10, 10)), image.NewRGBA(image.Rect(0, 0, 10, 10))
	if d := distance(a, b); d != 0 {
		t.Errorf("a picture is %v from itself", d)
	}
	b.Set(1, 1, color.RGBA{R: 20, A: 255})
	if d := distance(a, b); d != 0 {
		t.Errorf("what nobody sees is %v", d)
	}
	b.Set(2, 2, color.White)
	if d := distance(a, b); d != 0.01 {
		t.Errorf("one pixel of a hundred is %v", d)
	}
	if d := distance(a, image.NewRGBA(image.Rect(0, 0, 9, 10))); d != 1 {
		t.Errorf("another size is %v", d)
	}
}
