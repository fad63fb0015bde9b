package com.acme.shop

import java.io.File
import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.SecureRandom
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

private val file = File(System.getenv("PHONE"), "key")

/** The Keystore of a phone, as far as one AES key goes. */
class PhoneKeys : Provider("AndroidKeyStore", 1.0, "a file in place of the secure hardware") {
    init {
        put("KeyStore.AndroidKeyStore", PhoneKeyStore::class.java.name)
        put("KeyGenerator.AES", PhoneKeyGenerator::class.java.name)
    }
}

class PhoneKeyGenerator : KeyGeneratorSpi() {
    override fun engineInit(random: SecureRandom?) = Unit
    override fun engineInit(spec: AlgorithmParameterSpec?, random: SecureRandom?) = Unit
    override fun engineInit(bits: Int, random: SecureRandom?) = Unit
    override fun engineGenerateKey(): SecretKey {
        file.writeBytes(ByteArray(32).also { SecureRandom().nextBytes(it) })
        return SecretKeySpec(file.readBytes(), "AES")
    }
}

class PhoneKeyStore : KeyStoreSpi() {
    override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit
    override fun engineGetKey(alias: String?, password: CharArray?): Key? =
        if (file.exists()) SecretKeySpec(file.readBytes(), "AES") else null

    override fun engineContainsAlias(alias: String?) = file.exists()
    override fun engineSize() = if (file.exists()) 1 else 0
    override fun engineIsKeyEntry(alias: String?) = true
    override fun engineIsCertificateEntry(alias: String?) = false
    override fun engineAliases(): Enumeration<String> = Collections.emptyEnumeration()
    override fun engineGetCertificateChain(alias: String?): Array<Certificate>? = null
    override fun engineGetCertificate(alias: String?): Certificate? = null
    override fun engineGetCertificateAlias(certificate: Certificate?): String? = null
    override fun engineGetCreationDate(alias: String?): Date? = null
    override fun engineDeleteEntry(alias: String?) = refuse()
    override fun engineStore(stream: OutputStream?, password: CharArray?) = refuse()
    override fun engineSetCertificateEntry(alias: String?, certificate: Certificate?) = refuse()
    override fun engineSetKeyEntry(a: String?, key: ByteArray?, chain: Array<Certificate>?) = refuse()
    override fun engineSetKeyEntry(
        alias: String?,
        key: Key?,
        password: CharArray?,
        chain: Array<Certificate>?
    ) = refuse()

    private fun refuse(): Unit = throw UnsupportedOperationException("the guide does not call this")
}
