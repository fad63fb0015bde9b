package com.google.android.gms.tasks

import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit

/** A task that is done. */
class Task<T>(val result: T?)

object Tasks {
    fun <T> await(task: Task<T>, timeout: Long, unit: TimeUnit): T =
        task.result ?: throw ExecutionException(IllegalStateException("SERVICE_NOT_AVAILABLE"))
}
