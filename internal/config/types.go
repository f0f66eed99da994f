package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// mistyped says in words which value of a file cannot be that of its key, the
// first by name. It leaves alone what is no key.
func mistyped(table map[string]any, prefix string, keys map[string]reflect.Value) error {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		key, value := prefix+name, table[name]
		inner, isTable := value.(map[string]any)
		f, known := keys[key]
		var err error
		switch {
		case known:
			err = fits(f, value)
		case isTable:
			if err := mistyped(inner, key+".", keys); err != nil {
				return err
			}
		case isSection(key, keys):
			err = fmt.Errorf("%s is no section; write [%s], and its keys below", shown(value), key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func isSection(key string, keys map[string]reflect.Value) bool {
	for k := range keys {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

// fits tells why a value cannot be that of a field.
func fits(f reflect.Value, value any) error {
	if reader, ok := reflect.New(f.Type()).Interface().(encoding.TextUnmarshaler); ok {
		return readable(reader, value)
	}
	switch f.Kind() {
	case reflect.String:
		return isText(value)
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			return fmt.Errorf("%s is neither true nor false", shown(value))
		}
	case reflect.Int:
		if _, ok := value.(int64); !ok {
			return fmt.Errorf("%s is no whole number", shown(value))
		}
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("%s is no list such as [\"one\", \"two\"]", shown(value))
		}
		for _, v := range list {
			if err := isText(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// readable has a value read as its text, which a number may be too.
func readable(reader encoding.TextUnmarshaler, value any) error {
	if n, ok := value.(int64); ok {
		value = fmt.Sprint(n)
	}
	if err := isText(value); err != nil {
		return err
	}
	return reader.UnmarshalText([]byte(value.(string)))
}

func isText(value any) error {
	if _, ok := value.(string); !ok {
		return fmt.Errorf("%s is no text, which stands in quotes", shown(value))
	}
	return nil
}

// shown is a value as it may stand in a message.
func shown(value any) string {
	switch v := value.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case map[string]any:
		return "a section"
	case []any, []map[string]any:
		return "a list"
	}
	return fmt.Sprint(value)
}
