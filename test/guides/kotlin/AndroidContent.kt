package android.content

import android.app.Application
import java.io.File

/** The folder in PHONE is what outlives a process. */
open class Context {
    val noBackupFilesDir = File(System.getenv("PHONE"))
    val contentResolver = Any()
    val applicationContext: Context get() = Application.running
}

class Intent() {
    private val extras = HashMap<String, String?>()

    constructor(context: Context, activity: Class<*>) : this()

    fun putExtra(name: String, value: String?): Intent = apply { extras[name] = value }

    fun getStringExtra(name: String): String? = extras[name]
}
