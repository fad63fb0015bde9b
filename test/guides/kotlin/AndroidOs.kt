package android.os

class Bundle

object Build {
    const val MODEL = "Pixel 9"

    object VERSION {
        const val RELEASE = "16"
    }
}
