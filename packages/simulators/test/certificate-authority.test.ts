import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { createCertificateAuthority } from '../src/index.ts';

describe('a certificate authority', () => {
  it('issues certificates for names and addresses that it has signed', async () => {
    const authority = await createCertificateAuthority();
    const root = new X509Certificate(authority.certificatePem);
    const issued = await authority.issue(['push.example', '127.0.0.1', '::1', 'fd00::5']);
    const leaf = new X509Certificate(issued.certificatePem);
    assert.ok(root.ca && root.verify(root.publicKey));
    assert.ok(!leaf.ca && leaf.verify(root.publicKey) && leaf.checkIssued(root));
    assert.ok(leaf.checkPrivateKey(createPrivateKey(issued.keyPem)));
    assert.ok(leaf.checkHost('push.example'));
    for (const address of ['127.0.0.1', '::1', 'fd00::5'])
      assert.ok(leaf.checkIP(address), address);
    assert.equal(leaf.checkIP('127.0.0.2'), undefined);
  });

  it('goes on where a kept one left off', async () => {
    const kept = await createCertificateAuthority();
    const continued = await createCertificateAuthority(kept);
    const { certificatePem } = await continued.issue(['localhost']);
    const root = new X509Certificate(kept.certificatePem);
    assert.ok(new X509Certificate(certificatePem).checkIssued(root));
    assert.ok(new X509Certificate(certificatePem).verify(root.publicKey));
  });

  it('never repeats a serial number', async () => {
    const authority = await createCertificateAuthority();
    const [one, two] = [await authority.issue(['a']), await authority.issue(['a'])];
    const serials = [one, two].map((each) => new X509Certificate(each.certificatePem).serialNumber);
    assert.notEqual(serials[0], serials[1]);
  });
});
