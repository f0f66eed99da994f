package screen

import (
	"testing"

	"mirsal/e2e/device"
)

func TestAStrangerCallsOnceByALink(t *testing.T) {
	h := prepared(t)
	h.opens([]string{"alice", "bob"}, "--set", "upload.public_url=http://"+h.web, "--set", "listen.turn=127.0.0.1:0",
		"--set", "turn.relay_address="+device.OwnAddress(t), "--set", "turn.allow_private=true", "--set", "turn.host=localhost")
	h.tell("calllinks", nil)
}
