package androidx.work

import android.content.Context
import java.io.File

enum class NetworkType { CONNECTED }

enum class ExistingWorkPolicy { APPEND_OR_REPLACE }

class Constraints {
    class Builder {
        fun setRequiredNetworkType(type: NetworkType): Builder = this

        fun build() = Constraints()
    }
}

class OneTimeWorkRequest {
    class Builder(worker: Class<out Worker>) {
        fun setConstraints(constraints: Constraints): Builder = this

        fun build() = OneTimeWorkRequest()
    }
}

class WorkerParameters

abstract class Worker(val applicationContext: Context, parameters: WorkerParameters) {
    class Result private constructor(val name: String) {
        companion object {
            fun success() = Result("success")

            fun retry() = Result("retry")
        }
    }

    abstract fun doWork(): Result
}

/** Work outlives the process: it is a file. */
class WorkManager {
    fun enqueueUniqueWork(name: String, policy: ExistingWorkPolicy, work: OneTimeWorkRequest) {
        due.writeText(name)
    }

    companion object {
        val due = File(System.getenv("PHONE"), "work")

        fun getInstance(context: Context) = WorkManager()
    }
}
