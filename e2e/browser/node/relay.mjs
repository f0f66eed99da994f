// Two connections of one page, each by the relay alone, at the address that is given: what one
// says and the other hears. relay.mjs CHROMIUM PAGE URL USER PASSWORD
import { chromium } from 'playwright-core'

const [executablePath, page, url, username, credential] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--ignore-certificate-errors'] })
try {
  const tab = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage()
  await tab.goto(page)
  const heard = await tab.evaluate(async (server) => {
    const make = () => new RTCPeerConnection({ iceTransportPolicy: 'relay', iceServers: [server] })
    const [one, other] = [make(), make()]
    one.onicecandidate = (e) => e.candidate && other.addIceCandidate(e.candidate)
    other.onicecandidate = (e) => e.candidate && one.addIceCandidate(e.candidate)
    const channel = one.createDataChannel('words')
    const heard = new Promise((done, fail) => {
      other.ondatachannel = (e) => { e.channel.onmessage = (m) => done(m.data) }
      one.onicecandidateerror = (e) => fail(new Error(`${e.errorCode} ${e.errorText}`))
      one.onconnectionstatechange = () => one.connectionState === 'failed' && fail(new Error('no way was found'))
    })
    channel.onopen = () => channel.send('by the port of the web')
    await one.setLocalDescription(await one.createOffer())
    await other.setRemoteDescription(one.localDescription)
    await other.setLocalDescription(await other.createAnswer())
    await one.setRemoteDescription(other.localDescription)
    return heard
  }, { urls: [url], username, credential })
  console.log(heard)
} finally {
  await browser.close()
}
