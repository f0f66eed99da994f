"""A provisioner for aioxmpp's end-to-end tests that gives each test accounts that no
other test had, as the tests expect. Its own, with passwords, begins again with
the first account for every test, so that tests find what others left."""

from aioxmpp.e2etest import provision


class NewAccounts(provision.StaticPasswordProvisioner):
    async def teardown(self):
        await provision.Provisioner.teardown(self)  # without beginning again
