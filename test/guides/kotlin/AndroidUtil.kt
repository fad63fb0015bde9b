package android.util

import java.io.File
import java.io.FileOutputStream

/** The old content stays until the new one is written. */
class AtomicFile(private val file: File) {
    private val fresh = File(file.path + ".new")

    fun readFully(): ByteArray = file.readBytes()

    fun startWrite() = FileOutputStream(fresh)

    fun finishWrite(stream: FileOutputStream) {
        stream.fd.sync()
        stream.close()
        fresh.renameTo(file)
    }

    fun failWrite(stream: FileOutputStream) = stream.close()
}
