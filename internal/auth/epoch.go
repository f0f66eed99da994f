package auth

import "time"

// changeMemory is how long a change is remembered for sign-ins that began before
// it; none takes that long.
const changeMemory = time.Hour

// moment is when something changed.
type moment struct {
	epoch uint64
	at    time.Time
}

// Epoch is where changes of passwords and devices stand now: what a sign-in puts
// in Agent.Since before it looks up anything. Never 0.
func (a *Auth) Epoch() uint64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.epoch + 1
}

// Changed tells whether the password was changed, the account removed or the
// agent's device revoked since g.Since. Who binds a session asks when others can see the
// session, and ends it: a change in between has not seen it.
func (a *Auth) Changed(name string, g Agent) bool {
	if g.Since == 0 {
		return false
	}
	device := a.DeviceID(name, g.clean())
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.moments[name].epoch >= g.Since || a.moments[name+"/"+device].epoch >= g.Since
}

// changed notes a change of an account, or of one of its devices.
func (a *Auth) changed(name, device string) {
	key, now := name, time.Now()
	if device != "" {
		key += "/" + device
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.epoch++
	a.moments[key] = moment{a.epoch, now}
	if len(a.moments) < a.sweepAt {
		return
	}
	for k, m := range a.moments {
		if now.Sub(m.at) > changeMemory {
			delete(a.moments, k)
		}
	}
	a.sweepAt = max(minSweep, 2*len(a.moments))
}

// minSweep is how many changes are remembered before old ones are looked for.
const minSweep = 1000
