package config

import (
	"fmt"
	"regexp"
	"slices"
)

// Sites are the host names that the server itself answers for beside its domain.
func (c *Config) Sites() []string {
	return []string{"conference." + c.Domain, "upload." + c.Domain, "pubsub." + c.Domain, "push." + c.Domain}
}

// componentSecret is how long a component's secret is at least, in characters.
const componentSecret = 16

func (c *Config) checkComponents() error {
	hostName := regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	for name, secret := range c.Components {
		switch {
		case !hostName.MatchString(name):
			return fmt.Errorf("components: %q is no host name in small letters", name)
		case name == c.Domain || slices.Contains(c.Sites(), name):
			return fmt.Errorf("components: the server itself is %s", name)
		case len(secret) < componentSecret:
			return fmt.Errorf("components: the secret of %s has less than %d characters", name, componentSecret)
		}
	}
	if len(c.Components) > 0 && c.Listen.Component.Off() {
		return fmt.Errorf("components: nothing listens for them; say where by listen.component")
	}
	return nil
}
