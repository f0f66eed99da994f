package port

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// filled sets every text and number of a value, so that a field that gets lost
// on the way is seen.
func filled(v any) {
	fill(reflect.ValueOf(v).Elem())
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("a \u202e\"text\"")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(9)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(1))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type().String() == "time.Time" {
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

func TestEveryCommandComesBackAsItWent(t *testing.T) {
	for _, c := range Commands() {
		filled(c)
		b, err := EncodeCommand(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeCommand(b)
		if err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%s: %v\n%s\nbecame %+v", c.command(), err, b, back)
		}
	}
}

func TestEveryEventComesBackAsItWent(t *testing.T) {
	for _, e := range Events() {
		filled(e)
		b, err := EncodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeEvent(b)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Errorf("%s: %v\n%s\nbecame %+v", e.event(), err, b, back)
		}
	}
}

func TestAListWithNothingInItIsAList(t *testing.T) {
	for _, e := range Events() {
		if b, err := EncodeEvent(e); err != nil || strings.Contains(string(b), "null") {
			t.Errorf("%s %v", b, err)
		}
	}
}

func TestWhatIsNotOnTheListIsUnknown(t *testing.T) {
	for _, text := range []string{`{}`, `{"do":""}`, `{"do":"format"}`, `{"event":"send"}`} {
		if _, err := DecodeCommand([]byte(text)); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := DecodeCommand([]byte(`[`)); err == nil {
		t.Error("half a text was taken for a command")
	}
}

func FuzzDecodeCommand(f *testing.F) {
	f.Add([]byte(`{"do":"send","ref":7,"chat":"bob@example.org","text":"hello"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCommand(b)
		if err != nil {
			return
		}
		if _, err := EncodeCommand(c); err != nil {
			t.Error(err)
		}
	})
}
