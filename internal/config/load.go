package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Load makes a configuration of the defaults, a file ("" for none) and
// settings "key=value", later ones over earlier ones. Keys are written with
// dots (limits.stanza=65536); lists with commas. Errors are one line for people.
func Load(path string, sets []string) (Config, error) {
	cfg := Default()
	keys := map[string]reflect.Value{}
	collect(reflect.ValueOf(&cfg).Elem(), "", keys)
	named := map[string]bool{}
	if path != "" {
		if err := readFile(path, &cfg, keys, named); err != nil {
			return Config{}, err
		}
	}
	given := false
	for _, s := range sets {
		key, err := set(keys, s)
		if err != nil {
			return Config{}, err
		}
		named[key] = true
		given = given || strings.HasPrefix(key, "listen.")
	}
	if given {
		cfg.Listen.stepAside(named)
	}
	return cfg, cfg.check()
}

// stepAside lets the system choose the ports of loopback listeners that nobody
// named, so that two servers on one machine never collide.
func (l *Listen) stepAside(named map[string]bool) {
	if !named["listen.http_plain"] {
		l.HTTPPlain = "127.0.0.1:0"
	}
	if !named["listen.ops"] {
		l.Ops = "127.0.0.1:0"
	}
}

// collect lists the settable fields under their dotted keys.
func collect(v reflect.Value, prefix string, keys map[string]reflect.Value) {
	for i := range v.NumField() {
		f, key := v.Field(i), prefix+v.Type().Field(i).Tag.Get("toml")
		_, text := f.Addr().Interface().(encoding.TextUnmarshaler)
		if f.Kind() == reflect.Struct && !text {
			collect(f, key+".", keys)
			continue
		}
		keys[key] = f
	}
}

func readFile(path string, cfg *Config, keys map[string]reflect.Value, named map[string]bool) error {
	var written map[string]any
	if _, err := toml.DecodeFile(path, &written); err != nil {
		return fmt.Errorf("configuration: %s", oneLine(path, err))
	}
	if err := mistyped(written, "", keys); err != nil {
		return fmt.Errorf("configuration: %s: %w", path, err)
	}
	md, err := toml.DecodeFile(path, cfg)
	if err != nil {
		return fmt.Errorf("configuration: %s", oneLine(path, err))
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return fmt.Errorf("configuration: %s: %w", path, unknownKey(unknown[0].String(), keys))
	}
	for _, k := range md.Keys() {
		named[k.String()] = true
	}
	return nil
}

func oneLine(path string, err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	if strings.Contains(s, path) {
		return s
	}
	return path + ": " + s
}

// set applies one "key=value" and returns the key.
func set(keys map[string]reflect.Value, s string) (string, error) {
	key, value, ok := strings.Cut(s, "=")
	if !ok {
		return "", fmt.Errorf("configuration: %q is not key=value", s)
	}
	key = strings.TrimSpace(key)
	f, ok := keys[key]
	if !ok {
		return "", fmt.Errorf("configuration: %w", unknownKey(key, keys))
	}
	if err := assign(f, strings.TrimSpace(value)); err != nil {
		return "", fmt.Errorf("configuration: %s: %w", key, err)
	}
	return key, nil
}

func assign(f reflect.Value, s string) error {
	if t, ok := f.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return t.UnmarshalText([]byte(s))
	}
	switch f.Kind() {
	case reflect.String:
		f.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		f.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(strings.ReplaceAll(s, "_", ""))
		if err != nil {
			return fmt.Errorf("%q is no whole number", s)
		}
		f.SetInt(int64(n))
	case reflect.Slice:
		list := []string{}
		for v := range strings.SplitSeq(s, ",") {
			if v = strings.TrimSpace(v); v != "" {
				list = append(list, v)
			}
		}
		f.Set(reflect.ValueOf(list))
	case reflect.Map:
		return errors.New("this is a table, which only a configuration file can hold (--config)")
	default:
		return errors.New("cannot be set")
	}
	return nil
}

// unknownKey names the key and the known one that looks most like it.
func unknownKey(key string, keys map[string]reflect.Value) error {
	best, least := "", 2+len(key)/4
	for _, k := range sorted(keys) {
		if d := distance(key, k); d < least || d == least && best == "" {
			best, least = k, d
		}
	}
	if best == "" {
		return fmt.Errorf("there is no key %q", key)
	}
	return fmt.Errorf("there is no key %q; did you mean %q?", key, best)
}

func sorted(keys map[string]reflect.Value) []string {
	var s []string
	for k := range keys {
		s = append(s, k)
	}
	slices.Sort(s)
	return s
}

// distance is how many letters have to change to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost = 1 + min(left, row[j], row[j+1])
			}
			left, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
