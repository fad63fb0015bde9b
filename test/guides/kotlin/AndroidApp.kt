package android.app

import android.content.Context
import android.content.Intent
import android.os.Bundle

open class Application : Context() {
    open fun onCreate() {}

    companion object {
        /** The one of this process. */
        lateinit var running: Application
    }
}

open class Activity : Context() {
    val application: Application get() = Application.running
    lateinit var intent: Intent

    open fun onCreate(savedInstanceState: Bundle?) {}

    fun finish() {}
}

class PendingIntent {
    companion object {
        const val FLAG_IMMUTABLE = 1 shl 26
        const val FLAG_UPDATE_CURRENT = 1 shl 27

        fun getActivity(context: Context, code: Int, intent: Intent, flags: Int) = PendingIntent()
    }
}
